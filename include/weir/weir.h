#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

/* weir's C interface: enlarge a picture in memory with a neural network inside a memory line. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WEIR_C_API __attribute__((visibility("default")))
#else
#define WEIR_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weir_status {
  WEIR_OK = 0,
  WEIR_INVALID_ARGUMENT = 1,
  WEIR_OVER_BUDGET = 2, /* the smallest plan needs more than ram_bytes */
  WEIR_UNSUPPORTED = 3,
  WEIR_IO = 4,
  WEIR_CORRUPT = 5,
  WEIR_CANCELLED = 6,
  WEIR_BAD_VALUES = 7, /* from the network: no numbers, or one colour throughout */
  WEIR_FAULT = 70
} weir_status;

/* Interleaved samples: grey, grey and alpha, RGB, or RGB and straight alpha; bits is 8 or 16 (processor's byte order). */
typedef struct weir_shape {
  int width, height, channels, bits;
} weir_shape;

/* Start with `weir_options options = WEIR_OPTIONS_INIT;`: the network's own scale, half of the free memory, every allowed
   processor. The struct grows at its end: a program that was compiled with a smaller one works as before, and one that sets
   options of a larger one gets WEIR_INVALID_ARGUMENT from a library that does not know them. */
typedef struct weir_options {
  size_t struct_size;       /* sizeof(weir_options) */
  double scale;             /* wanted scale, above 0 */
  int width, height;        /* wanted size instead; a height of 0 follows the width */
  uint64_t ram_bytes;       /* the most that the process may hold at once */
  const char* spill_folder; /* may be null: nothing is spilled */
  uint64_t spill_bytes;
  int threads;              /* at most 1024 */
  int exact_precision, tta; /* 0 or 1 */
  const char* device;  /* null or "cpu"; "gpu" for the best GPU; a part of its name, GPU-UUID or pci:0000:01:00.0 */
  uint64_t vram_bytes; /* the most of the GPU's memory to take; 0: what it has free, less a margin */
  int strict_device;   /* 0 or 1: a fault of the GPU is not mended, at last by the CPU, but fails the run */
} weir_options;

#define WEIR_OPTIONS_INIT \
  { sizeof(weir_options), 0, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, 0, 0 }

/* A network; not to be used from two threads at once. */
typedef struct weir_network weir_network;

/* Called with 0..1; a value other than 0 stops the run with WEIR_CANCELLED. */
typedef int (*weir_progress)(double fraction, void* user);

WEIR_C_API const char* weir_version(void);

/* What went wrong last on this thread, in one line; "" if nothing did. Valid until the next call on this thread. */
WEIR_C_API const char* weir_last_error(void);

/* Reads X.param and the X.bin beside it; *network is null unless WEIR_OK. */
WEIR_C_API weir_status weir_open(const char* param_path, weir_network** network);
WEIR_C_API void weir_close(weir_network* network); /* null is fine */
WEIR_C_API int weir_scale(const weir_network* network);

/* Computes the shape of the result and the peak of the process in bytes, without touching a sample. `options` may be null. */
WEIR_C_API weir_status weir_plan(weir_network* network, const weir_shape* input, const weir_options* options,
                                 weir_shape* output, uint64_t* ram_bytes);

/* Enlarges `input` into `output`, whose shape weir_plan tells; rows are the given bytes apart. `options` and `progress`
   may be null. On failure the samples of `output` are undefined. */
WEIR_C_API weir_status weir_upscale(weir_network* network, const weir_shape* shape, const weir_options* options,
                                    const void* input, size_t input_stride, void* output, size_t output_stride,
                                    weir_progress progress, void* user);

#ifdef __cplusplus
}
#endif

#endif
