module github.com/octavo-ml/octavo/internal/kernels/histogram/_asm

go 1.26
