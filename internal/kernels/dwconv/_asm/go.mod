module github.com/octavo-ml/octavo/internal/kernels/dwconv/_asm

go 1.26
