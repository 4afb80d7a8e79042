. packages/targets/macos.sh
