module tracemix

go 1.22
