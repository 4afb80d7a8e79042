module github.com/nomyo-ai/libnomyo/tests/memory/go

go 1.22

require github.com/nomyo-ai/libnomyo/bindings/go v0.0.0

replace github.com/nomyo-ai/libnomyo/bindings/go => ../../../bindings/go
