#include "audit/python/gpu_names.hpp"

#include <algorithm>
#include <array>

namespace weir::audit::python {
namespace {

using std::string_view;

template <std::size_t N>
bool contains(const std::array<string_view, N>& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr MaskReadTime first_use = MaskReadTime::at_first_use;
constexpr MaskReadTime at_import = MaskReadTime::at_import;

// `at_import` is used only with evidence that the import starts the driver. Examples: cudf validates its set-up (docs
// of rapidsai/cudf, RAPIDS_NO_INITIALIZE), the documentation of pycuda.autoinit states it, and bitsandbytes and unsloth
// query torch.cuda at their import.
constexpr std::array kLibraries{
    Library{"torch", first_use},
    Library{"torchvision", first_use},
    Library{"torchaudio", first_use},
    Library{"tensorflow", first_use},
    Library{"keras", first_use},
    Library{"tensorflow_hub", first_use},
    Library{"tf_keras", first_use},
    Library{"jax", first_use},
    Library{"flax", first_use},
    Library{"cupy", first_use},
    Library{"numba.cuda", first_use},
    Library{"pycuda.autoinit", at_import},
    Library{"pycuda.autoprimaryctx", at_import},
    Library{"pycuda", first_use},
    Library{"cudf", at_import},
    Library{"cuml", at_import},
    Library{"cugraph", at_import},
    Library{"rmm", first_use},
    Library{"onnxruntime", first_use},
    Library{"llama_cpp", first_use},
    Library{"ctranslate2", first_use},
    Library{"faster_whisper", first_use},
    Library{"whisper", first_use},
    Library{"whisperx", first_use},
    Library{"transformers", first_use},
    Library{"diffusers", first_use},
    Library{"accelerate", first_use},
    Library{"pytorch_lightning", first_use},
    Library{"lightning", first_use},
    Library{"ultralytics", first_use},
    Library{"vllm", first_use},
    Library{"sglang", first_use},
    Library{"deepspeed", first_use},
    Library{"bitsandbytes", at_import},
    Library{"unsloth", at_import},
    Library{"triton", first_use},
    Library{"tensorrt", first_use},
    Library{"mxnet", first_use},
    Library{"paddle", first_use},
    Library{"chainer", first_use},
    Library{"mindspore", first_use},
    Library{"oneflow", first_use},
    Library{"jittor", first_use},
    Library{"dgl", first_use},
    Library{"torch_geometric", first_use},
    Library{"apex", first_use},
    Library{"flash_attn", first_use},
    Library{"xformers", first_use},
    Library{"sentence_transformers", first_use},
    Library{"easyocr", first_use},
    Library{"paddleocr", first_use},
    Library{"insightface", first_use},
    Library{"fastai", first_use},
    Library{"timm", first_use},
    Library{"kornia", first_use},
    Library{"intel_extension_for_pytorch", first_use},
    Library{"intel_extension_for_tensorflow", first_use},
    Library{"nvidia.dali", first_use},
    Library{"taichi", first_use},
    Library{"mmcv", first_use},
    Library{"mmengine", first_use},
    Library{"detectron2", first_use},
    Library{"stable_baselines3", first_use},
    Library{"gpytorch", first_use},
    Library{"segment_anything", first_use},
    Library{"open_clip", first_use},
    Library{"monai", first_use},
    Library{"peft", first_use},
    Library{"trl", first_use},
    Library{"fairseq", first_use},
    Library{"speechbrain", first_use},
    Library{"basicsr", first_use},
    Library{"realesrgan", first_use},
    Library{"gfpgan", first_use},
    Library{"torchtext", first_use},
    Library{"torchmetrics", first_use},
    Library{"tensorflow_addons", first_use},
};

// Calls that read the masks, because they call cuInit or cudaGetDeviceCount (pytorch#23544 for is_available). In newer
// versions torch.cuda.device_count queries NVML first; later changes of the masks still do not change its result.
constexpr std::array<string_view, 65> kDriverStarts{
    "torch.cuda.is_available",
    "torch.cuda.device_count",
    "torch.cuda.current_device",
    "torch.cuda.get_device_name",
    "torch.cuda.get_device_properties",
    "torch.cuda.get_device_capability",
    "torch.cuda.mem_get_info",
    "torch.cuda.init",
    "torch.cuda.synchronize",
    "torch.cuda.set_device",
    "torch.cuda.is_bf16_supported",
    "torch.cuda.current_stream",
    "torch.cuda.Stream",
    "torch.xpu.is_available",
    "torch.xpu.device_count",
    "torch.xpu.set_device",
    "torch.xpu.get_device_name",
    "torch.xpu.get_device_properties",
    "torch.xpu.init",
    "intel_extension_for_pytorch.xpu.is_available",
    "intel_extension_for_pytorch.xpu.device_count",
    "intel_extension_for_pytorch.xpu.get_device_name",
    "intel_extension_for_pytorch.xpu.set_device",
    "tensorflow.config.list_physical_devices",
    "tensorflow.config.experimental.list_physical_devices",
    "tensorflow.config.list_logical_devices",
    "tensorflow.config.experimental.list_logical_devices",
    "tensorflow.test.is_gpu_available",
    "tensorflow.test.gpu_device_name",
    "tensorflow.python.client.device_lib.list_local_devices",
    "jax.devices",
    "jax.device_count",
    "jax.local_devices",
    "jax.local_device_count",
    "jax.default_backend",
    "cupy.array",
    "cupy.zeros",
    "cupy.ones",
    "cupy.asarray",
    "cupy.cuda.runtime.getDeviceCount",
    "cupy.cuda.Device",
    "cupy.cuda.is_available",
    "numba.cuda.select_device",
    "numba.cuda.is_available",
    "numba.cuda.detect",
    "numba.cuda.get_current_device",
    "numba.cuda.current_context",
    "numba.cuda.to_device",
    "pycuda.driver.init",
    "pycuda.driver.Device",
    "paddle.device.cuda.device_count",
    "mxnet.context.num_gpus",
    "onnxruntime.InferenceSession",
    "llama_cpp.Llama",
    "faster_whisper.WhisperModel",
    "ctranslate2.get_cuda_device_count",
    // These choose a card and create a context on it.
    "accelerate.Accelerator",
    "accelerate.PartialState",
    "pytorch_lightning.Trainer",
    "lightning.Trainer",
    "lightning.pytorch.Trainer",
    "deepspeed.initialize",
    "deepspeed.init_distributed",
    "deepspeed.init_inference",
    "vllm.LLM",
};

constexpr std::array<string_view, 14> kIdentityReads{
    "weir.verify",
    "torch.cuda.get_device_name",
    "torch.cuda.get_device_properties",
    "torch.xpu.get_device_name",
    "torch.xpu.get_device_properties",
    "tensorflow.config.experimental.get_device_details",
    "pynvml.nvmlDeviceGetUUID",
    "pynvml.nvmlDeviceGetName",
    "pynvml.nvmlDeviceGetPciInfo",
    "cupy.cuda.runtime.getDeviceProperties",
    "pycuda.driver.Device.name",
    "numba.cuda.get_current_device",
    "paddle.device.cuda.get_device_name",
    "paddle.device.cuda.get_device_properties",
};

constexpr std::array<string_view, 26> kProcessStarts{
    "subprocess.run",
    "subprocess.Popen",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "os.system",
    "os.popen",
    "os.execv",
    "os.execve",
    "os.execvp",
    "os.execvpe",
    "os.spawnv",
    "os.fork",
    "multiprocessing.Process",
    "multiprocessing.Pool",
    "multiprocessing.get_context",
    "torch.multiprocessing.Process",
    "torch.multiprocessing.Pool",
    "torch.multiprocessing.spawn",
    "torch.multiprocessing.get_context",
    "concurrent.futures.ProcessPoolExecutor",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "accelerate.notebook_launcher",
};

constexpr std::array<string_view, 8> kProcessPools{"multiprocessing.Pool",
                                                   "multiprocessing.pool.Pool",
                                                   "torch.multiprocessing.Pool",
                                                   "torch.multiprocessing.pool.Pool",
                                                   "multiprocess.Pool",
                                                   "pathos.multiprocessing.ProcessingPool",
                                                   "concurrent.futures.ProcessPoolExecutor",
                                                   "concurrent.futures.process.ProcessPoolExecutor"};
constexpr std::array<string_view, 5> kThreadPools{
    "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor",
    "multiprocessing.pool.ThreadPool", "multiprocessing.dummy.Pool", "torch.multiprocessing.pool.ThreadPool"};
constexpr std::array<string_view, 12> kWorkerCalls{"map",       "imap",  "imap_unordered", "starmap",
                                                   "map_async", "apply", "apply_async",    "starmap_async",
                                                   "submit",    "spawn", "Process",        "Thread"};
constexpr std::array<string_view, 12> kServers{"fastapi.FastAPI",
                                               "fastapi.APIRouter",
                                               "flask.Flask",
                                               "flask.Blueprint",
                                               "starlette.applications.Starlette",
                                               "quart.Quart",
                                               "sanic.Sanic",
                                               "bottle.Bottle",
                                               "aiohttp.web.Application",
                                               "litestar.Litestar",
                                               "celery.Celery",
                                               "flask_restful.Api"};

/// A base class of a model runner and the methods that the runner calls.
struct RunnerClass {
  string_view base;
  std::array<string_view, 2> methods;
};
// cog: docs/python.md. TorchServe: docs/custom_service.md. LitServe: LitAPI. BentoML uses decorators only.
constexpr std::array kRunnerClasses{
    RunnerClass{"cog.BasePredictor", {"setup", "predict"}},
    RunnerClass{"cog.BaseRunner", {"setup", "run"}},
    RunnerClass{"ts.torch_handler.base_handler.BaseHandler", {"initialize", "handle"}},
    RunnerClass{"litserve.LitAPI", {"setup", "predict"}},
};

/// A deprecated call: its full dotted name, and the last part of the name of its replacement.
struct Renamed {
  string_view old_name, new_name;
};
// Deprecated since PyTorch 1.4 (torch/cuda/memory.py names the replacements).
constexpr std::array kRenamed{
    Renamed{"torch.cuda.reset_max_memory_allocated", "reset_peak_memory_stats"},
    Renamed{"torch.cuda.reset_max_memory_cached", "reset_peak_memory_stats"},
    Renamed{"torch.cuda.memory_cached", "memory_reserved"},
    Renamed{"torch.cuda.max_memory_cached", "max_memory_reserved"},
};

constexpr Vendor nvidia = Vendor::nvidia;
constexpr Vendor intel = Vendor::intel;
constexpr std::array kDeviceParameters{
    DeviceParameter{"torch.cuda.set_device", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.device", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.get_device_name", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.get_device_properties", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.get_device_capability", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.mem_get_info", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.synchronize", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.memory_allocated", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.memory_reserved", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.max_memory_allocated", 0, "device", nvidia, true},
    DeviceParameter{"torch.xpu.set_device", 0, "device", intel, true},
    DeviceParameter{"torch.xpu.get_device_name", 0, "device", intel, true},
    DeviceParameter{"torch.xpu.get_device_properties", 0, "device", intel, true},
    DeviceParameter{"torch.device", 0, "device", nvidia, true},
    DeviceParameter{"torch.set_default_device", 0, "device", nvidia, true},
    DeviceParameter{"torch.load", 1, "map_location", nvidia, false},
    DeviceParameter{"torch.Generator", 0, "device", nvidia, false},
    DeviceParameter{"torch.cuda.Stream", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.set_per_process_memory_fraction", 1, "device", nvidia, true},
    DeviceParameter{"torch.cuda.reset_peak_memory_stats", 0, "device", nvidia, true},
    DeviceParameter{"torch.cuda.memory_stats", 0, "device", nvidia, true},
    DeviceParameter{"spacy.require_gpu", 0, "gpu_id", nvidia, true},
    DeviceParameter{"spacy.prefer_gpu", 0, "gpu_id", nvidia, true},
    DeviceParameter{"faiss.index_cpu_to_gpu", 1, "", nvidia, true},
    DeviceParameter{"cv2.cuda.setDevice", 0, "", nvidia, true},
    DeviceParameter{"tensorflow.device", 0, "device_name", nvidia, false},
    DeviceParameter{"paddle.set_device", 0, "device", nvidia, false},
    DeviceParameter{"paddle.device.set_device", 0, "device", nvidia, false},
    DeviceParameter{"paddle.CUDAPlace", 0, "", nvidia, true},
    DeviceParameter{"mxnet.gpu", 0, "", nvidia, true},
    DeviceParameter{"cupy.cuda.Device", 0, "device", nvidia, true},
    DeviceParameter{"cupy.cuda.runtime.setDevice", 0, "", nvidia, true},
    DeviceParameter{"numba.cuda.select_device", 0, "device_id", nvidia, true},
    DeviceParameter{"pycuda.driver.Device", 0, "", nvidia, true},
    DeviceParameter{"transformers.pipeline", -1, "device", nvidia, true},
    DeviceParameter{"llama_cpp.Llama", -1, "main_gpu", nvidia, true},
    DeviceParameter{"faster_whisper.WhisperModel", -1, "device_index", nvidia, true},
    DeviceParameter{".to", 0, "device", nvidia, false},
    DeviceParameter{".cuda", 0, "device", nvidia, true},
    DeviceParameter{".xpu", 0, "device", intel, true},
};

constexpr std::array kDeviceKeywords{
    DeviceKeyword{"device", false},       DeviceKeyword{"map_location", false}, DeviceKeyword{"device_map", true},
    DeviceKeyword{"main_device", false},  DeviceKeyword{"device_name", false},  DeviceKeyword{"device_id", true},
    DeviceKeyword{"gpu_id", true},        DeviceKeyword{"gpu_device_id", true}, DeviceKeyword{"main_gpu", true},
    DeviceKeyword{"output_device", true}, DeviceKeyword{"device_ids", true},
};

constexpr std::array<string_view, 5> kSmiIndexCalls{
    "pynvml.nvmlDeviceGetHandleByIndex", "py3nvml.py3nvml.nvmlDeviceGetHandleByIndex",
    "nvidia_smi.nvmlDeviceGetHandleByIndex", "nvitop.Device", "nvitop.PhysicalDevice"};
constexpr std::array<string_view, 4> kRuntimeIndices{"torch.cuda.current_device", "torch.distributed.get_rank",
                                                     "torch.xpu.current_device", "horovod.torch.local_rank"};
constexpr std::array<string_view, 5> kDeviceCounts{"torch.cuda.device_count", "torch.xpu.device_count",
                                                   "jax.local_device_count", "cupy.cuda.runtime.getDeviceCount",
                                                   "paddle.device.cuda.device_count"};
constexpr std::array<string_view, 6> kDeviceLists{"jax.devices",
                                                  "jax.local_devices",
                                                  "tensorflow.config.list_physical_devices",
                                                  "tensorflow.config.experimental.list_physical_devices",
                                                  "tensorflow.config.list_logical_devices",
                                                  "tensorflow.config.experimental.list_logical_devices"};
constexpr std::array<string_view, 9> kUserChoices{"input",        "raw_input",      "json.load",
                                                  "json.loads",   "yaml.safe_load", "yaml.load",
                                                  "tomllib.load", "toml.load",      "configparser.ConfigParser"};

}  // namespace

namespace {

/// Returns whether the text is a test such as "torch.cuda.is_available()" or "torch.cuda.device_count() > 0". Apple's
/// GPU (mps) is excluded, because the table [audit] of weir.toml cannot choose it.
bool is_gpu_query(string_view text) {
  constexpr string_view kSkippedCharacters = " ()";
  constexpr string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  text.remove_prefix(std::min(text.find_first_not_of(kSkippedCharacters), text.size()));
  const string_view name = text.substr(0, text.find_first_not_of(kNameCharacters));
  const bool is_query = name.ends_with("is_available") || name.ends_with("device_count");
  if (!is_query || name.find("mps") != string_view::npos) return false;
  string_view rest = text.substr(name.size());
  // After the call there may only be a comparison with a number or True.
  if (rest.starts_with("()")) rest.remove_prefix(2);
  if (rest.starts_with(" is ")) rest.remove_prefix(3);
  const std::size_t compared_value = rest.find_first_not_of(" ()<>=!");
  if (compared_value == string_view::npos) return true;
  rest.remove_prefix(compared_value);
  return rest.find_first_not_of("0123456789 )") == string_view::npos || rest.starts_with("True");
}

}  // namespace

const Library* find_library(string_view module) {
  const Library* best = nullptr;
  for (const Library& library : kLibraries) {
    if (module.empty() || module.front() != library.module.front()) continue;
    const bool within =
        module == library.module || (module.size() > library.module.size() && module.starts_with(library.module) &&
                                     module[library.module.size()] == '.');
    if (within && (best == nullptr || library.module.size() > best->module.size())) best = &library;
  }
  return best;
}

std::optional<Vendor> vendor_of(string_view name) {
  // The starts of names of libraries and calls; "gpu:" is the start of a device text.
  constexpr std::array<string_view, 12> kNvidia{"cupy", "cudf",     "cuml",           "cugraph", "rmm",        "pynvml",
                                                "apex", "tensorrt", "llama_cpp.cuda", "nvidia",  "flash_attn", "gpu:"};
  if (name.find("xpu") != string_view::npos || name.starts_with("intel_extension")) return Vendor::intel;
  const bool cuda = name.find("cuda") != string_view::npos;
  if (cuda || std::any_of(kNvidia.begin(), kNvidia.end(), [&](string_view one) { return name.starts_with(one); }))
    return Vendor::nvidia;
  return std::nullopt;
}

bool is_non_gpu_program(string_view command) {
  constexpr std::array<string_view, 28> kPrograms{"git",  "ls",    "cp",   "mv",   "rm",    "mkdir",     "cat",
                                                  "df",   "du",    "ps",   "tar",  "zip",   "unzip",     "curl",
                                                  "wget", "rsync", "ssh",  "scp",  "uname", "hostname",  "whoami",
                                                  "date", "tail",  "head", "kill", "pkill", "systemctl", "clear"};
  const string_view program = command.substr(0, command.find(' '));
  const std::size_t slash = program.rfind('/');
  return contains(kPrograms, slash == string_view::npos ? program : program.substr(slash + 1));
}

bool is_client_library(string_view module) {
  constexpr std::array<string_view, 12> kClients{"ollama",   "openai",    "tritonclient", "xinference_client",
                                                 "lmstudio", "anthropic", "requests",     "httpx",
                                                 "aiohttp",  "websocket", "websockets",   "gradio_client"};
  return contains(kClients, module.substr(0, module.find('.')));
}

bool starts_driver(string_view name) { return contains(kDriverStarts, name); }
bool is_gpu_test(string_view condition) {
  std::string text{condition};
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t' || c == '\\'; }, ' ');
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min({text.find(" and ", begin), text.find(" or ", begin), text.size()});
    if (!is_gpu_query(string_view{text}.substr(begin, end - begin))) return false;
    begin = end == text.size() ? end + 1 : text.find(' ', end + 1);
  }
  return true;
}
bool tests_device_count(string_view condition) {
  constexpr std::array<string_view, 5> kCounts{"device_count", "list_physical_devices", "num_gpus", "n_gpu", "ngpu"};
  return std::any_of(kCounts.begin(), kCounts.end(),
                     [&](string_view count) { return condition.find(count) != string_view::npos; });
}
bool requires_gpu(string_view condition) {
  return condition.starts_with("torch.cuda.is_available()") && condition.find(" or ") == string_view::npos;
}

bool creates_process_pool(string_view name) { return contains(kProcessPools, name); }
bool creates_thread_pool(string_view name) { return contains(kThreadPools, name); }
bool passes_function_to_worker(string_view method) { return contains(kWorkerCalls, method); }
bool is_init_keyword(string_view keyword) { return keyword == "initializer" || keyword == "worker_init_fn"; }
bool creates_server(string_view name) { return contains(kServers, name); }

std::span<const string_view> methods_called_by_runner(string_view base) {
  const auto* found = std::find_if(kRunnerClasses.begin(), kRunnerClasses.end(),
                                   [&](const RunnerClass& known) { return known.base == base; });
  return found == kRunnerClasses.end() ? std::span<const string_view>{} : std::span{found->methods};
}

bool reads_device_identity(string_view name) { return contains(kIdentityReads, name); }
bool starts_process(string_view name) { return contains(kProcessStarts, name); }
bool returns_runtime_index(string_view name) { return contains(kRuntimeIndices, name); }
bool returns_device_count(string_view name) { return contains(kDeviceCounts, name); }
bool returns_device_list(string_view name) { return contains(kDeviceLists, name); }
bool takes_smi_index(string_view name) { return contains(kSmiIndexCalls, name); }

bool returns_user_choice(string_view name) {
  return contains(kUserChoices, name) || name.ends_with(".parse_args") || name.ends_with(".parse_known_args");
}

string_view replacement_of(string_view name) {
  const auto* found =
      std::find_if(kRenamed.begin(), kRenamed.end(), [&](const Renamed& renamed) { return renamed.old_name == name; });
  return found == kRenamed.end() ? string_view{} : found->new_name;
}

const DeviceParameter* find_device_parameter(string_view name) {
  const auto* found = std::find_if(kDeviceParameters.begin(), kDeviceParameters.end(),
                                   [&](const DeviceParameter& known) { return known.name == name; });
  return found == kDeviceParameters.end() ? nullptr : found;
}

bool takes_device_list(string_view call, string_view keyword) {
  constexpr std::array<string_view, 5> kTrainers{"pytorch_lightning.Trainer", "lightning.Trainer",
                                                 "lightning.pytorch.Trainer", "lightning.Fabric",
                                                 "lightning.fabric.Fabric"};
  return (keyword == "gpus" || keyword == "devices") && contains(kTrainers, call);
}

const DeviceKeyword* find_device_keyword(string_view keyword) {
  const auto* found = std::find_if(kDeviceKeywords.begin(), kDeviceKeywords.end(),
                                   [&](const DeviceKeyword& known) { return known.keyword == keyword; });
  return found == kDeviceKeywords.end() ? nullptr : found;
}

}  // namespace weir::audit::python
