vcl 4.1;
# Varnish with its defaults; cookies do not count, as with the others.
backend default { .host = "127.0.0.1"; .port = "__UPSTREAM_PORT__"; }
sub vcl_recv {
  unset req.http.Cookie;
}
