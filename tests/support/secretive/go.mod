module acmesecret.example/shopfront

go 1.22
