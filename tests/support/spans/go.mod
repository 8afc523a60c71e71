module spans

go 1.22
