# A Go programmer with the module from a proxy: with a module cache, read-only, and vendored without any proxy.
# Root: SUITE-go
# Answer: Hello from Go
# C library: gnu
export GOPROXY=file:///packages/go GONOSUMDB=github.com/nomyo-ai GOTOOLCHAIN=local
mkdir app
mv main.go app
cd app
go mod init example.com/app
go get "github.com/nomyo-ai/libnomyo/bindings/go@v$VERSION"
go build -mod=readonly -o from-cache .
printf "Hello from the cache" | ./from-cache
go mod vendor
export GOPROXY=off GOMODCACHE=$PWD/empty
go build -mod=vendor -o vendored .
printf "Hello from Go" | ./vendored
