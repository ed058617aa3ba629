// SPDX-License-Identifier: Apache-2.0
// Dining philosophers (Dijkstra, EWD 310, 1971): each eats with the two forks beside him.
//   BROKEN=0  the last one takes his forks in the other order
//   BROKEN=1  everybody takes his left fork first: all may hold one, and wait for ever
//   BROKEN=2  there is room for all at the table, where there should be for all but one
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kPhilosophers = 5, kMeals = 2 };

static pthread_mutex_t forks[kPhilosophers];
static sem_t room;
static int meals[kPhilosophers];

static void eat(int who, int first, int second) {
  pthread_mutex_lock(&forks[first]);
  pthread_mutex_lock(&forks[second]);
  ++meals[who];
  pthread_mutex_unlock(&forks[second]);
  pthread_mutex_unlock(&forks[first]);
}

static void* philosopher(void* argument) {
  const int who = (int)(long)argument;
  const int left = who, right = (who + 1) % kPhilosophers;
  for (int meal = 0; meal < kMeals; ++meal) {
    if (BROKEN == 2) sem_wait(&room);
    if (BROKEN == 0 && left > right)
      eat(who, right, left);
    else
      eat(who, left, right);
    if (BROKEN == 2) sem_post(&room);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kPhilosophers];
  sem_init(&room, 0, kPhilosophers);
  for (int i = 0; i < kPhilosophers; ++i) {
    pthread_mutex_init(&forks[i], NULL);
    meals[i] = 0;
  }
  for (int i = 0; i < kPhilosophers; ++i)
    pthread_create(&threads[i], NULL, philosopher, (void*)(long)i);
  for (int i = 0; i < kPhilosophers; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kPhilosophers; ++i) {
    assert(meals[i] == kMeals);
    pthread_mutex_destroy(&forks[i]);
  }
  sem_destroy(&room);
  return 0;
}
