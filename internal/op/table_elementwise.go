package op

var tableElementwise = []Entry{}
