module gosum

go 1.24
