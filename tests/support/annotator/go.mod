module annotator

go 1.22
