// Package lib is where libnomyo.a for Linux on amd64 belongs.
package lib
