// Package lib is where libnomyo.a for Linux on arm64 belongs.
package lib
