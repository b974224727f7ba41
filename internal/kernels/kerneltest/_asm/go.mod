module github.com/octavo-ml/octavo/internal/kernels/kerneltest/_asm

go 1.26
