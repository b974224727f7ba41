module github.com/octavo-ml/octavo/internal/cpu/_asm

go 1.26
