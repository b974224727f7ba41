package op

var tableControl = []Entry{
	row[ConcatFromSequence](""),
	row[If](""),
	row[Loop](""),
	row[Optional](""),
	row[OptionalGetElement](""),
	row[OptionalHasElement](""),
	row[Scan](""),
	row[SequenceAt](""),
	row[SequenceConstruct](""),
	row[SequenceEmpty](""),
	row[SequenceErase](""),
	row[SequenceInsert](""),
	row[SequenceLength](""),
	row[SequenceMap](""),
	row[SplitToSequence](""),
}
