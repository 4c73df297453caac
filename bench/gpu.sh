#!/bin/bash
# Measures a GPU with programs that are already built: bench/gpu.sh BUILD_FOLDER [DEVICE]
# To measure on another machine, on which only the GPU's driver is installed: `bench/gpu.sh --pack BUILD_FOLDER FILE.tar.gz`
# packs the programs, the libraries that they need, and this script into one file; unpack it there and run ./gpu.sh [DEVICE].
#   WEIR_SHARED=../shared   folder with samples and networks; if it is missing, whole programs are not measured
#   RUNS=5                  number of runs of each kernel and network; the tables show medians
set -euo pipefail

if [ "${1:-}" = --pack ]; then
  build=$2 file=$3
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  mkdir -p "$folder/weir-gpu/lib"
  cp "$build/weir" "$build/weir_gpu_bench" "$0" "$folder/weir-gpu/"
  # The other machine has its own C library, loader and Vulkan loader, so they are not packed.
  ldd "$build/weir" "$build/weir_gpu_bench" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*|libvulkan)\.so' | xargs -I{} cp -L {} "$folder/weir-gpu/lib/"
  [ ! -d "${WEIR_SHARED:-../shared}/models" ] || {
    mkdir -p "$folder/weir-gpu/shared/samples" "$folder/weir-gpu/shared/models/realcugan/models-se" "$folder/weir-gpu/shared/models/realesrgan"
    cp "${WEIR_SHARED:-../shared}"/samples/page-1200x1800.png "$folder/weir-gpu/shared/samples/"
    cp "${WEIR_SHARED:-../shared}"/models/realcugan/models-se/up2x-conservative.* "$folder/weir-gpu/shared/models/realcugan/models-se/"
    cp "${WEIR_SHARED:-../shared}"/models/realesrgan/realesr-animevideov3-x2.* "$folder/weir-gpu/shared/models/realesrgan/"
  }
  tar -C "$folder" -czf "$file" weir-gpu
  exit 0
fi

here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/weir" ]; then
  build=$here device=${1:-gpu} shared=${WEIR_SHARED:-$here/shared}
  export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
  build=${1:?usage: bench/gpu.sh BUILD_FOLDER [DEVICE]} device=${2:-gpu} shared=${WEIR_SHARED:-$here/../../shared}
fi

printf 'machine: %s, %s processors; %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
  "$(date -u +%Y-%m-%dT%H:%MZ)"
networks=()
for network in realesrgan/realesr-animevideov3-x2 realcugan/models-se/up2x-conservative; do
  [ ! -f "$shared/models/$network.param" ] || networks+=("$shared/models/$network.param")
done
"$build/weir_gpu_bench" --device "$device" --runs "${RUNS:-5}" "${networks[@]}"

page=$shared/samples/page-1200x1800.png
if [ ! -f "$page" ]; then
  printf '\nwhole programs were not measured: no %s\n' "$page"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '\n### whole programs, page 1200x1800, PNG to PNG\n\n| network | wall s | peak of the process MiB |\n|---|---|---|\n'
for network in "${networks[@]}"; do
  "$build/weir" upscale "$page" -o "$work/out.png" --model "$network" --device "$device" --overwrite --json >"$work/json"
  printf '| %s | %s | %s |\n' "$(basename "$network" .param)" \
    "$(sed -n 's/.*"seconds":\([0-9.]*\).*/\1/p' "$work/json" | tail -n 1)" \
    "$(sed -n 's/.*"peak_bytes":\([0-9]*\),"seconds".*/\1/p' "$work/json" | awk '{ printf "%.0f", $1 / 1048576 }')"
done
