// Package lib is where libnomyo.a for Windows on amd64 belongs.
package lib
