module github.com/nomyo-ai/libnomyo/bindings/go

go 1.22
