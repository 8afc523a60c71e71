module schedmix

go 1.22
