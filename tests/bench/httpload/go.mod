module httpload

go 1.24
