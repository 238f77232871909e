// The headers of the system library that this module maps.
#include <zstd.h>
