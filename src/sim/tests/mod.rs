//! The simulator as a client sees it: a server in this process, and requests over HTTP.
