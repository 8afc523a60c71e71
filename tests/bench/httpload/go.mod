module httpload

go 1.24

require github.com/contrace/contrace/go/flight v0.0.0

replace github.com/contrace/contrace/go/flight => ../../../go/flight
