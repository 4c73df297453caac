/* Enlarges a binary PPM picture in memory, in C: enlarge_c NETWORK.param IN.ppm OUT.ppm [DEVICE]
   DEVICE is cpu, gpu or a part of a GPU's name. Without DEVICE, the program uses at most 256 MiB of memory; with DEVICE
   the limit is half of the free memory, because the driver of a GPU needs more. */
#include <weir/weir.h>

#include <stdio.h>
#include <stdlib.h>

static int report_error(void) {
  fprintf(stderr, "error: %s\n", weir_last_error());
  return 1;
}

/* Returns the samples of a PPM file, which the caller must free; null on failure. */
static unsigned char* read_ppm(const char* path, weir_shape* shape) {
  unsigned char* samples = NULL;
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  shape->channels = 3;
  shape->bits = 8;
  if (fscanf(file, "P6 %d %d 255", &shape->width, &shape->height) == 2 && fgetc(file) != EOF && shape->width > 0 &&
      shape->height > 0) {
    const size_t size = (size_t)shape->width * (size_t)shape->height * 3;
    samples = malloc(size);
    if (samples != NULL && fread(samples, 1, size, file) != size) {
      free(samples);
      samples = NULL;
    }
  }
  fclose(file);
  return samples;
}

static int write_ppm(const char* path, const weir_shape* shape, const unsigned char* samples) {
  const size_t size = (size_t)shape->width * (size_t)shape->height * 3;
  FILE* file = fopen(path, "wb");
  int good = file != NULL && fprintf(file, "P6\n%d %d\n255\n", shape->width, shape->height) > 0 &&
             fwrite(samples, 1, size, file) == size;
  if (file != NULL) good = fclose(file) == 0 && good;
  return good;
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fprintf(stderr, "usage: enlarge_c NETWORK.param IN.ppm OUT.ppm [DEVICE]\n");
    return 2;
  }
  weir_network* network = NULL;
  if (weir_open(argv[1], &network) != WEIR_OK) return report_error();
  weir_shape in, out;
  unsigned char* samples = read_ppm(argv[2], &in);
  if (samples == NULL) {
    fprintf(stderr, "error: %s is not a binary PPM picture of 8 bits\n", argv[2]);
    weir_close(network);
    return 1;
  }

  weir_options options = WEIR_OPTIONS_INIT;
  options.ram_bytes = (uint64_t)256 << 20;
  if (argc == 5) {
    options.device = argv[4];
    options.ram_bytes = 0;
  }
  uint64_t ram = 0;
  int status = 1;
  if (weir_plan(network, &in, &options, &out, &ram) != WEIR_OK) {
    report_error();
  } else {
    const size_t out_stride = (size_t)out.width * 3;
    unsigned char* enlarged = malloc(out_stride * (size_t)out.height);
    if (enlarged == NULL) {
      fprintf(stderr, "error: no memory for %d x %d pixels\n", out.width, out.height);
    } else if (weir_upscale(network, &in, &options, samples, (size_t)in.width * 3, enlarged, out_stride, NULL, NULL) !=
               WEIR_OK) {
      report_error();
    } else if (!write_ppm(argv[3], &out, enlarged)) {
      fprintf(stderr, "error: cannot write %s\n", argv[3]);
    } else {
      printf("%d x %d, at most %u MiB, weir %s\n", out.width, out.height, (unsigned)(ram >> 20), weir_version());
      status = 0;
    }
    free(enlarged);
  }
  free(samples);
  weir_close(network);
  return status;
}
