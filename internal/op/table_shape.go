package op

var tableShape = []Entry{}
