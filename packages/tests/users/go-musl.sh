# A Go programmer on a Linux with musl. The build tag chooses the library for it.
# Root: SUITE-go
# Answer: Hello from Go
# C library: musl
export GOPROXY=file:///packages/go GONOSUMDB=github.com/nomyo-ai GOTOOLCHAIN=local CC=cc
mkdir app
mv main.go app
cd app
go mod init example.com/app
go get "github.com/nomyo-ai/libnomyo/bindings/go@v$VERSION"
go build -tags musl -o program .
printf "Hello from Go" | ./program
