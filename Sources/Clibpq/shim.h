#ifndef GANTRY_CLIBPQ_H
#define GANTRY_CLIBPQ_H

#include <libpq-fe.h>
// Swift's own module of the C library leaves these two out.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#endif
