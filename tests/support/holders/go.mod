module holders

go 1.22
