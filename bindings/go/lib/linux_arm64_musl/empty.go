// Package lib is where libnomyo.a for Linux with musl on arm64 belongs.
package lib
