module github.com/octavo-ml/octavo/internal/kernels/histogram/_asm

go 1.26

require github.com/octavo-ml/octavo/internal/kernels/_neon v0.0.0

replace github.com/octavo-ml/octavo/internal/kernels/_neon => ../../_neon
