module github.com/octavo-ml/octavo/internal/kernels/reduce/_asm

go 1.26
