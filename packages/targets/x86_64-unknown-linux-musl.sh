. packages/targets/linux_musl.sh
