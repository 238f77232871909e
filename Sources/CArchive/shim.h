// The headers of the system library that this module maps.
#include <archive.h>
#include <archive_entry.h>
