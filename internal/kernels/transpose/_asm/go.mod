module github.com/octavo-ml/octavo/internal/kernels/transpose/_asm

go 1.26
