// The page's own routes have no dot in their last segment; every one of them is index.html. Files below /.well-known/,
// such as apple-app-site-association, may have none either.
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1 && request.uri.indexOf('/.well-known/') !== 0) {
    request.uri = '/index.html';
  }
  return request;
}
