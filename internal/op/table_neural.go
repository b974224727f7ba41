package op

var tableNeural = []Entry{}
