// The health check of the MongoDB container, run by mongosh on the server's own host: succeeds once the server is the
// primary of its replica set and the service's user can log in. Makes the set and the users on the first run, when
// MongoDB lets a local client do so without a password because there are no users yet (the "localhost exception").

const admin = db.getSiblingDB("admin");
const service = db.getSiblingDB("diglot");

function isPrimary() {
  const hello = db.hello();
  if (!hello.setName && !hello.isWritablePrimary) {
    rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] });
  }
  return hello.isWritablePrimary;
}

function logIn(database, user, password) {
  try {
    return database.auth(user, password).ok === 1;
  } catch (error) {
    if (error.codeName === "AuthenticationFailed") return false;
    throw error;
  }
}

function createUsers() {
  if (!logIn(admin, "root", process.env.MONGODB_ROOT_PASSWORD)) {
    admin.createUser({ user: "root", pwd: process.env.MONGODB_ROOT_PASSWORD, roles: ["root"] });
    logIn(admin, "root", process.env.MONGODB_ROOT_PASSWORD);
  }
  service.createUser({ user: "diglot", pwd: process.env.MONGODB_PASSWORD, roles: ["readWrite", "dbAdmin"] });
}

for (let tries = 0; !isPrimary(); tries++) {
  if (tries === 50) quit(1);
  sleep(200);
}
if (!logIn(service, "diglot", process.env.MONGODB_PASSWORD)) createUsers();
