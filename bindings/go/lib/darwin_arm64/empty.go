// Package lib is where libnomyo.a for macOS on arm64 belongs.
package lib
