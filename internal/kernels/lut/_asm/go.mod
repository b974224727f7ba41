module github.com/octavo-ml/octavo/internal/kernels/lut/_asm

go 1.26
