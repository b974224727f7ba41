module github.com/octavo-ml/octavo/internal/kernels/_neon

go 1.26
