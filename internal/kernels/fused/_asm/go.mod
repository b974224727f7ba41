module github.com/octavo-ml/octavo/internal/kernels/fused/_asm

go 1.26
