/* What changes the names that the measured programs read, from run to run; shared by programs.bpf.c and user space. */
#pragma once

#include "bpf/abi.h"

struct bench_salt {
  nsl_u64 value;    /* XORed into the words of the name */
  nsl_u64 step;     /* added to value at each run; 0: the same name at each run */
  nsl_u32 from, to; /* the words that begin at these offsets of the message, to not included */
};
