// What the C files here share: constants of headers that cannot be included beside each other.
#ifndef CLINUX_MOUNTS_H
#define CLINUX_MOUNTS_H

enum {
  // MS_PRIVATE of mount(2).
  clinux_private = 1 << 18,
};

#endif
