module traceevents

go 1.24
