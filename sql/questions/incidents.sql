-- Which incidents were there? What began them, what they have, what was found.
WITH evidence AS (
    SELECT incident, service, host, key, start, rule, reason, label FROM traces WHERE incident IS NOT NULL
    UNION ALL
    SELECT incident, service, host, key, start, rule, reason, label FROM profiles WHERE incident IS NOT NULL
)
SELECT incident, min(service) AS service, min(host) AS host, min(start) AS began, count(*) AS captures,
    min(reason) AS reason, min(rule) AS rule, min(label) AS label
FROM evidence
GROUP BY incident
ORDER BY began DESC, incident
LIMIT 50
