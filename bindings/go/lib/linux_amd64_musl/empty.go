// Package lib is where libnomyo.a for Linux with musl on amd64 belongs.
package lib
