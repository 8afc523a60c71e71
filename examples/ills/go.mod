module example.com/contrace/ills

go 1.22
