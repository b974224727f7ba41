module github.com/octavo-ml/octavo/internal/kernels/eltwise/_asm

go 1.26
