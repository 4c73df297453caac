# bash completion for weir; made by 'weir help --completion bash'
_weir() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W 'upscale film models devices doctor lease run leak config audit train status report help version --help --version' -- "$word")); return; fi
  case ${COMP_WORDS[1]} in
    upscale)
      case "$before" in
        --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --model) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --name) COMPREPLY=(); return ;;
        --models) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --noise) COMPREPLY=(); return ;;
        --scale) COMPREPLY=(); return ;;
        --resize) COMPREPLY=(); return ;;
        --width) COMPREPLY=(); return ;;
        --format) COMPREPLY=($(compgen -W 'png jpg webp avif jxl tiff' -- "$word")); return ;;
        --quality) COMPREPLY=(); return ;;
        --ram) COMPREPLY=(); return ;;
        --spill) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --threads) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --vram) COMPREPLY=(); return ;;
        --tile) COMPREPLY=(); return ;;
        --precision) COMPREPLY=($(compgen -W 'auto exact' -- "$word")); return ;;
        --damaged) COMPREPLY=($(compgen -W 'use refuse' -- "$word")); return ;;
        --checkpoints) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --variants) COMPREPLY=(); return ;;
        --stall) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
        --max-items-per-worker) COMPREPLY=(); return ;;
        --pause-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --on-full-disk) COMPREPLY=($(compgen -W 'wait stop' -- "$word")); return ;;
        --log) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --metrics) COMPREPLY=(); return ;;
        --metrics-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--output --model --name --models --noise --scale --resize --width --format --quality --ram --spill --threads --device --vram --tile --strict-device --precision --tta --damaged --overwrite --explain --verify --retry-failed --upgrade --checkpoints --no-checkpoints --variants --no-cpu --same-pixels --stall --wait --max-items-per-worker --pause-file --on-full-disk --log --metrics --metrics-file --dry-run --json --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    film)
      case "$before" in
        --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --format) COMPREPLY=($(compgen -W 'mkv mp4 mov webm nut y4m' -- "$word")); return ;;
        --codec) COMPREPLY=($(compgen -W 'x264 x265 av1 ffv1' -- "$word")); return ;;
        --crf) COMPREPLY=(); return ;;
        --preset) COMPREPLY=(); return ;;
        --encoder-option) COMPREPLY=(); return ;;
        --audio) COMPREPLY=(); return ;;
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --limit) COMPREPLY=(); return ;;
        --preview) COMPREPLY=(); return ;;
        --deinterlace) COMPREPLY=($(compgen -W 'auto on off' -- "$word")); return ;;
        --model) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --name) COMPREPLY=(); return ;;
        --models) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --noise) COMPREPLY=(); return ;;
        --scale) COMPREPLY=(); return ;;
        --resize) COMPREPLY=(); return ;;
        --width) COMPREPLY=(); return ;;
        --ram) COMPREPLY=(); return ;;
        --threads) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --vram) COMPREPLY=(); return ;;
        --tile) COMPREPLY=(); return ;;
        --precision) COMPREPLY=($(compgen -W 'auto exact' -- "$word")); return ;;
        --damaged) COMPREPLY=($(compgen -W 'use refuse' -- "$word")); return ;;
        --variants) COMPREPLY=(); return ;;
        --stall) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
        --max-items-per-worker) COMPREPLY=(); return ;;
        --pause-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --on-full-disk) COMPREPLY=($(compgen -W 'wait stop' -- "$word")); return ;;
        --log) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --metrics) COMPREPLY=(); return ;;
        --metrics-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--output --format --codec --crf --preset --encoder-option --audio --from --to --limit --preview --deinterlace --model --name --models --noise --scale --resize --width --ram --threads --device --vram --tile --strict-device --precision --tta --damaged --overwrite --explain --verify --retry-failed --upgrade --variants --no-cpu --same-pixels --stall --wait --max-items-per-worker --pause-file --on-full-disk --log --metrics --metrics-file --dry-run --json --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    models)
      case "$before" in
        --model) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --models) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--model --models --json --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    devices)
      case "$before" in
        --role) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --need) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--role --device --allow --deny --min-memory --prefer --need --trust-unknown --json --help' -- "$word"))
      else COMPREPLY=(); fi ;;
    doctor)
      case "$before" in
        --role) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --need) COMPREPLY=(); return ;;
        --cuda-names) COMPREPLY=($(compgen -W 'uuid index' -- "$word")); return ;;
        --torch-allocator) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--role --device --allow --deny --min-memory --prefer --need --trust-unknown --cuda-names --torch-allocator --json --help' -- "$word"))
      else COMPREPLY=(); fi ;;
    lease)
      case "$before" in
        --role) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --need) COMPREPLY=(); return ;;
        --cuda-names) COMPREPLY=($(compgen -W 'uuid index' -- "$word")); return ;;
        --torch-allocator) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
        --slots) COMPREPLY=(); return ;;
        --job) COMPREPLY=(); return ;;
        --grace) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--role --device --allow --deny --min-memory --prefer --need --trust-unknown --cuda-names --torch-allocator --wait --slots --job --grace --json --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W 'list wait hold' -f -- "$word"); fi ;;
    run)
      case "$before" in
        --device) COMPREPLY=(); return ;;
        --need) COMPREPLY=(); return ;;
        --variants) COMPREPLY=(); return ;;
        --jobs|-j) COMPREPLY=(); return ;;
        --gpu-jobs) COMPREPLY=(); return ;;
        --gpu) COMPREPLY=($(compgen -W 'whole inside' -- "$word")); return ;;
        --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --junit) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --log) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --profile) COMPREPLY=($(compgen -W 'dev ci production' -- "$word")); return ;;
        --metrics) COMPREPLY=(); return ;;
        --metrics-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --pause-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --retries) COMPREPLY=(); return ;;
        --timeout) COMPREPLY=(); return ;;
        --grace) COMPREPLY=(); return ;;
        --max-leak) COMPREPLY=(); return ;;
        --role) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --cuda-names) COMPREPLY=($(compgen -W 'uuid index' -- "$word")); return ;;
        --torch-allocator) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
        --slots) COMPREPLY=(); return ;;
        --job) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--device --need --variants --jobs --gpu-jobs --gpu --output --resume --retry-failed --upgrade --overwrite --explain --junit --log --profile --metrics --metrics-file --pause-file --retries --timeout --grace --max-leak --strict-device --end-orphans --role --allow --deny --min-memory --prefer --trust-unknown --cuda-names --torch-allocator --wait --slots --job --json --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    leak)
      case "$before" in
        --runs) COMPREPLY=(); return ;;
        --max-leak) COMPREPLY=(); return ;;
        --report) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --role) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --need) COMPREPLY=(); return ;;
        --cuda-names) COMPREPLY=($(compgen -W 'uuid index' -- "$word")); return ;;
        --torch-allocator) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--runs --max-leak --report --role --device --allow --deny --min-memory --prefer --need --trust-unknown --cuda-names --torch-allocator --wait --json --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    config)
      case "$before" in
        --model) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --name) COMPREPLY=(); return ;;
        --models) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --noise) COMPREPLY=(); return ;;
        --scale) COMPREPLY=(); return ;;
        --format) COMPREPLY=($(compgen -W 'png jpg webp avif jxl tiff' -- "$word")); return ;;
        --quality) COMPREPLY=(); return ;;
        --ram) COMPREPLY=(); return ;;
        --spill) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --threads) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
        --vram) COMPREPLY=(); return ;;
        --tile) COMPREPLY=(); return ;;
        --precision) COMPREPLY=($(compgen -W 'auto exact' -- "$word")); return ;;
        --damaged) COMPREPLY=($(compgen -W 'use refuse' -- "$word")); return ;;
        --checkpoints) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --variants) COMPREPLY=(); return ;;
        --stall) COMPREPLY=(); return ;;
        --wait) COMPREPLY=(); return ;;
        --max-items-per-worker) COMPREPLY=(); return ;;
        --pause-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --on-full-disk) COMPREPLY=($(compgen -W 'wait stop' -- "$word")); return ;;
        --log) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --metrics) COMPREPLY=(); return ;;
        --metrics-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --codec) COMPREPLY=($(compgen -W 'x264 x265 av1 ffv1' -- "$word")); return ;;
        --crf) COMPREPLY=(); return ;;
        --preset) COMPREPLY=(); return ;;
        --audio) COMPREPLY=(); return ;;
        --deinterlace) COMPREPLY=($(compgen -W 'auto on off' -- "$word")); return ;;
        --role) COMPREPLY=(); return ;;
        --allow) COMPREPLY=(); return ;;
        --deny) COMPREPLY=(); return ;;
        --min-memory) COMPREPLY=(); return ;;
        --prefer) COMPREPLY=(); return ;;
        --cuda-names) COMPREPLY=($(compgen -W 'uuid index' -- "$word")); return ;;
        --torch-allocator) COMPREPLY=(); return ;;
        --slots) COMPREPLY=(); return ;;
        --grace) COMPREPLY=(); return ;;
        --jobs|-j) COMPREPLY=(); return ;;
        --gpu-jobs) COMPREPLY=(); return ;;
        --gpu) COMPREPLY=($(compgen -W 'whole inside' -- "$word")); return ;;
        --profile) COMPREPLY=($(compgen -W 'dev ci production' -- "$word")); return ;;
        --retries) COMPREPLY=(); return ;;
        --timeout) COMPREPLY=(); return ;;
        --max-leak) COMPREPLY=(); return ;;
        --max-fragmentation) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--model --name --models --noise --scale --format --quality --ram --spill --threads --device --vram --tile --strict-device --precision --tta --damaged --checkpoints --variants --no-cpu --stall --wait --max-items-per-worker --pause-file --on-full-disk --log --metrics --metrics-file --quiet --codec --crf --preset --audio --deinterlace --role --allow --deny --min-memory --prefer --trust-unknown --cuda-names --torch-allocator --slots --grace --jobs --gpu-jobs --gpu --profile --retries --timeout --max-leak --max-fragmentation --help' -- "$word"))
      else COMPREPLY=(); fi ;;
    audit)
      case "$before" in
        --policy) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --select) COMPREPLY=(); return ;;
        --ignore) COMPREPLY=(); return ;;
        --format) COMPREPLY=($(compgen -W 'text json sarif github junit md html' -- "$word")); return ;;
        --explain) COMPREPLY=(); return ;;
        --baseline) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --jobs) COMPREPLY=(); return ;;
        --check) COMPREPLY=(); return ;;
        --tests) COMPREPLY=(); return ;;
        --pairs) COMPREPLY=(); return ;;
        --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --threads) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--policy --select --ignore --format --fix --unsafe --diff --backup --stats --explain --baseline --write-baseline --jobs --check --tests --pairs --output --threads --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W 'plan run report' -f -- "$word"); fi ;;
    train)
      case "$before" in
        --recipe) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --out|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --hours) COMPREPLY=(); return ;;
        --steps) COMPREPLY=(); return ;;
        --threads) COMPREPLY=(); return ;;
        --device) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--recipe --out --resume --hours --steps --threads --device --quiet --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    status)
      case "$before" in
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--json --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    report)
      case "$before" in
        --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--output --help' -- "$word"))
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    help)
      case "$before" in
        --completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--man --completion --help' -- "$word"))
      else COMPREPLY=($(compgen -W 'upscale film models devices doctor lease run leak config audit train status report help version' -- "$word")); fi ;;
    version)
      case "$before" in
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--help' -- "$word"))
      else COMPREPLY=(); fi ;;
  esac
}
complete -F _weir weir
