#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "audit/mask.hpp"

namespace weir::audit::python {

// Tables of the names of Python libraries, calls and parameters that concern GPUs. A mask is the value of a variable
// such as CUDA_VISIBLE_DEVICES: the list of devices that a process sees. The driver reads the masks once, when it is
// started.

/// When a library reads the masks.
enum class MaskReadTime {
  at_first_use,  ///< at its first use; the import normally reads no mask, but some versions of the library may
  at_import      ///< at its import, which starts the driver
};

/// A Python library that uses GPUs.
struct Library {
  std::string_view module;  ///< full dotted name; stands for its submodules, too
  MaskReadTime mask_read_time;
};

/// Returns the GPU library that an import of this module (full dotted name) loads; null if it is no known GPU library.
const Library* find_library(std::string_view module);

/// Returns whether a call, by its full dotted name, makes the driver read the masks.
bool starts_driver(std::string_view name);
/// Returns the vendor of the GPUs that a name stands for: the full name of a call or library, or the text of a device,
/// such as "cuda:1" or "gpu:1". Nothing if the name does not determine the vendor, as for "torch".
std::optional<Vendor> vendor_of(std::string_view name);
/// Returns whether a command is a program that never uses a GPU, such as "git" or "ls".
bool is_non_gpu_program(std::string_view command);
/// Returns whether a library is the client of a server, so that the importing process itself uses no GPU through it.
bool is_client_library(std::string_view module);
/// Returns whether a condition, as Python code, consists only of tests for the existence or number of GPUs, joined by
/// "and" or "or". Tests for Apple's GPU (mps) do not count.
bool is_gpu_test(std::string_view condition);
/// Returns whether a program that stops unless the condition is true needs a GPU: the condition starts with
/// torch.cuda.is_available() and contains no "or".
bool requires_gpu(std::string_view condition);
/// Returns whether a condition tests the number of devices.
bool tests_device_count(std::string_view condition);
/// Returns whether a call reads the UUID, PCI address or name of the device in use.
bool reads_device_identity(std::string_view name);
/// Returns whether a call starts another process or program, passes a command to a shell, or returns an object that
/// starts processes (multiprocessing.get_context).
bool starts_process(std::string_view name);
/// Returns whether a call creates a pool whose workers are processes.
bool creates_process_pool(std::string_view name);
/// Returns whether a call creates a pool whose workers are threads.
bool creates_thread_pool(std::string_view name);
/// Returns whether a method makes a process or thread run a function: a method of a pool (map, submit), or one of
/// Process, Thread and spawn. `method` is the last part of the call's name.
bool passes_function_to_worker(std::string_view method);
/// Returns whether a keyword argument is the function that a new worker process runs first: `initializer` of a pool, or
/// `worker_init_fn` of PyTorch's DataLoader.
bool is_init_keyword(std::string_view keyword);
/// Returns whether a call creates an application of a web framework or task queue, or a part of one; the server then
/// imports the module.
bool creates_server(std::string_view name);
/// Returns the methods of a subclass of `base` that a model runner calls: setup and predict for cog's BasePredictor.
/// Empty if `base` is no such class.
std::span<const std::string_view> methods_called_by_runner(std::string_view base);
/// Returns the new name, without its module, of a call that PyTorch deprecated; empty if the call is not deprecated.
std::string_view replacement_of(std::string_view name);

/// The device parameter of a call.
struct DeviceParameter {
  std::string_view name;     ///< full dotted name, or ".method" of any object
  int position;              ///< position of the device argument, from 0; -1: keyword only
  std::string_view keyword;  ///< empty: positional only
  Vendor vendor;             ///< vendor of the device if the argument is a bare number
  bool accepts_number;       ///< a bare number is a device, too
};
/// Returns the device parameter of a call; null if it has none.
const DeviceParameter* find_device_parameter(std::string_view name);

/// A keyword that means a device in calls of any library.
struct DeviceKeyword {
  std::string_view keyword;
  bool accepts_number;  ///< a bare number is a device, too
};
/// Returns the device keyword with this name; null if there is none.
const DeviceKeyword* find_device_keyword(std::string_view keyword);

/// Returns whether a keyword of a call takes a number of devices, or a list of device numbers.
bool takes_device_list(std::string_view call, std::string_view keyword);

/// Returns whether a call takes a device number in the numbering of nvidia-smi, which ignores masks.
bool takes_smi_index(std::string_view name);
/// Returns whether a call returns a device number in the numbering of the runtime, under the masks. The rank of a
/// process counts as such a number.
bool returns_runtime_index(std::string_view name);
/// Returns whether a call returns the number of devices that the runtime sees.
bool returns_device_count(std::string_view name);
/// Returns whether a call returns a list of the devices that the runtime sees.
bool returns_device_list(std::string_view name);
/// Returns whether a call returns a choice of the program's user, from the command line, input or settings.
bool returns_user_choice(std::string_view name);

}  // namespace weir::audit::python
