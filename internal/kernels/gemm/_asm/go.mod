module github.com/octavo-ml/octavo/internal/kernels/gemm/_asm

go 1.26
