package op

var tableQuantized = []Entry{}
