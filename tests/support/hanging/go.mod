module example.com/hanging

go 1.22
