module github.com/octavo-ml/octavo/internal/kernels/convert/_asm

go 1.26
